// Reads certificates in PEM from standard input and prints for each whether the system's roots verify it: 1 or 0.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
)

func main() {
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			panic(err)
		}
		answer := 1
		if _, err := certificate.Verify(x509.VerifyOptions{}); err != nil {
			answer = 0
		}
		fmt.Print(answer)
	}
}
