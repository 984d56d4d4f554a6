package outbound

import "testing"

func TestAddressesThatOnlyLookGlobal(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8:80": true, "[2606:4700::1]:443": true,
		"127.0.0.1:80": false, "0.0.0.0:80": false, "0.1.2.3:80": false, "10.0.0.1:80": false, "169.254.169.254:80": false,
		"100.64.0.1:80": false, "192.0.0.170:80": false, "198.18.0.1:80": false, "224.0.0.1:80": false, "240.0.0.1:80": false,
		"255.255.255.255:80": false, "[::]:80": false, "[::1]:80": false, "[fe80::1]:80": false, "[fc00::1]:80": false, "[ff02::1]:80": false,
		"[::ffff:127.0.0.1]:80": false, "[::ffff:8.8.8.8]:80": true,
		"[64:ff9b::7f00:1]:80": false, "[64:ff9b::808:808]:80": true, "[64:ff9b:1::1]:80": false,
		"[2002:7f00:1::]:80": false, "[2002:a00:1::]:80": false, "[2002:808:808::]:80": true, "[2001:0:1::]:80": false, "[::808:808]:80": false,
		"localhost:80": false, "": false,
	} {
		if got := checkAddress(address) == nil; got != want {
			t.Errorf("%s: allowed %v, want %v", address, got, want)
		}
	}
}
