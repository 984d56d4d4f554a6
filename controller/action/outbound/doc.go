// Package outbound is how requests that a job asks for leave the server: where they may go,
// by which proxy and with which certificates, and that each is sent once.
//
// The operator's file (serve --outbound) maps hosts to how they are called. Of several
// keys the most exact one holds alone: "host:port", "host", "*.domain" (the longest), "*".
//
//	pay.example.com:   {certFile: client.pem, keyFile: client.key}     a client certificate; read again for each connection
//	"*.corp.example":  {caFile: corp-ca.pem, allowPrivate: true}       these authorities instead of the system's;
//	                                                                   private addresses although the server refuses them
//	"*":               {proxy: "http://proxy:3128", proxyAuth: {file: proxy-login}}   or {env: NAME}; "user:password"
//
// Files are relative to the folder of the operator's file.
//
// # Invariants
//
//  1. A request is sent at most once. Each one has a connection of its own, which is closed
//     behind it, and a second connection for the same request is refused. So nothing that
//     net/http sends again by itself is sent again: not what meets a kept-alive connection
//     that the server closes, though it has a key in a header or its method is idempotent;
//     not what HTTP/2 refuses (REFUSED_STREAM, GOAWAY, PROTOCOL_ERROR); not through a
//     proxy. There is no kept-alive connection, because a request that meets its end could
//     neither be sent again nor be told from one that was acted upon.
//  2. The error of a request whose head was written, without an answer, wraps
//     ErrUnanswered: nobody can tell whether it was acted upon. Any other error means that
//     it was not sent.
//  3. Private, loopback and link-local addresses are refused unless the operator allows
//     them. The check is made on the address that is dialled, after the name was resolved
//     and for every redirect, so that no name can lead inside.
//  4. A proxy is the operator's word: its own address is not checked, and where names lead
//     is for the proxy to say. An address in the URL, and localhost, are checked all the
//     same. The environment's HTTP_PROXY is not looked at.
//  5. No error has a proxy's password in it.
package outbound
