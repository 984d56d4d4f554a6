package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Signer is the private key, and the algorithm that signs with it.
func (o OAuth) Signer() (crypto.Signer, string, error) {
	block, _ := pem.Decode([]byte(o.PrivateKey))
	if block == nil {
		return nil, "", errors.New("there is no private key in PEM")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, "", fmt.Errorf("%q in PEM is no private key", block.Type)
	}
	if err != nil {
		return nil, "", errors.New("the private key cannot be read; is it encrypted?")
	}
	signer, ok := key.(crypto.Signer)
	algorithms := algorithmsOf(key)
	switch {
	case !ok || len(algorithms) == 0:
		return nil, "", errors.New("a private key of its type cannot sign assertions; there are RSA, EC with P-256, P-384 or P-521, and Ed25519")
	case o.Algorithm == "":
		return signer, algorithms[0], nil
	case !slices.Contains(algorithms, o.Algorithm):
		return nil, "", fmt.Errorf("algorithm: Unsupported value: %q: supported values for this key: %s", o.Algorithm, strings.Join(algorithms, ", "))
	}
	return signer, o.Algorithm, nil
}

// algorithmsOf are those that sign with a key, the usual one first.
func algorithmsOf(key any) []string {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case ed25519.PrivateKey:
		return []string{"EdDSA"}
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256():
			return []string{"ES256"}
		case elliptic.P384():
			return []string{"ES384"}
		case elliptic.P521():
			return []string{"ES512"}
		}
	}
	return nil
}
