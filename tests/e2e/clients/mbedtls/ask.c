/* "BUNDLE PORT HOST": asks https://HOST:PORT/ with Mbed TLS and the CAs of a file, and prints the answer. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: -%#x\n", what, -result);
    exit(1);
}

int main(int count, char **words)
{
    static mbedtls_ctr_drbg_context random;
    static mbedtls_entropy_context entropy;
    static mbedtls_net_context net;
    static mbedtls_ssl_config config;
    static mbedtls_ssl_context tls;
    static mbedtls_x509_crt roots;
    static char answer[4096];
    int length;

    if (count != 4)
        return 2;
    mbedtls_ctr_drbg_init(&random);
    mbedtls_entropy_init(&entropy);
    mbedtls_net_init(&net);
    mbedtls_ssl_config_init(&config);
    mbedtls_ssl_init(&tls);
    mbedtls_x509_crt_init(&roots);
    check(mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0), "random numbers");
    /* A positive number counts the certificates that could not be read: the others are kept. */
    check(mbedtls_x509_crt_parse_file(&roots, words[1]), words[1]);
    check(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                      MBEDTLS_SSL_PRESET_DEFAULT), "configuration");
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&config, &roots, NULL);
    mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
    check(mbedtls_ssl_setup(&tls, &config), "set-up");
    check(mbedtls_ssl_set_hostname(&tls, words[3]), "host name");
    check(mbedtls_net_connect(&net, words[3], words[2], MBEDTLS_NET_PROTO_TCP), "connection");
    mbedtls_ssl_set_bio(&tls, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
    check(mbedtls_ssl_handshake(&tls), "handshake");
    check(mbedtls_ssl_write(&tls, (const unsigned char *) "GET / HTTP/1.0\r\n\r\n", 18), "request");
    while ((length = mbedtls_ssl_read(&tls, (unsigned char *) answer, sizeof answer)) > 0)
        fwrite(answer, 1, length, stdout);
    return 0;
}
