// Judges each case below a folder with crypto/x509, as crypto/tls does for a client: "NUMBER yes|no REASON".
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	for number := 0; ; number++ {
		folder := filepath.Join(os.Args[1], strconv.Itoa(number))
		if _, err := os.Stat(folder); err != nil {
			return
		}
		if err := judge(folder); err != nil {
			fmt.Println(number, "no", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println(number, "yes", "")
		}
	}
}

func judge(folder string) error {
	seconds, err := strconv.ParseInt(read(folder, "time"), 10, 64)
	if err != nil {
		return err
	}
	options := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		CurrentTime:   time.Unix(seconds, 0),
		DNSName:       read(folder, "host"),
	}
	options.Roots.AppendCertsFromPEM([]byte(read(folder, "roots.pem")))
	var server *x509.Certificate
	for rest := []byte(read(folder, "chain.pem")); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		// crypto/tls refuses the handshake where any certificate that is sent cannot be parsed.
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		if server == nil {
			server = certificate
		} else {
			options.Intermediates.AddCert(certificate)
		}
	}
	_, err = server.Verify(options)
	return err
}

func read(folder, name string) string {
	data, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		panic(err)
	}
	return string(data)
}
