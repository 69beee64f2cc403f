// Asks https://localhost:PORT/ with the system's roots ("system"), or with those of a file, and prints the answer.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	trust, port := os.Args[1], os.Args[2]
	config := &tls.Config{}
	if trust != "system" {
		pem, err := os.ReadFile(trust)
		check(err)
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			check(fmt.Errorf("no certificate in %s", trust))
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: 20 * time.Second}
	response, err := client.Get("https://localhost:" + port + "/")
	check(err)
	answer, err := io.ReadAll(response.Body)
	check(err)
	fmt.Println(string(answer))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
