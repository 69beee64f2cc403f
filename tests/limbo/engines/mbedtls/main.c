/* Judges each case below a folder with Mbed TLS, as its TLS client does: "NUMBER yes|no REASON". */
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static time_t now;

/* The library asks this function for the time, since the program's symbols come first. */
time_t time(time_t *result)
{
    if (result != NULL)
        *result = now;
    return now;
}

static char *content(const char *folder, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 24);
    if (file == NULL || text == NULL)
        exit(1);
    fread(text, 1, (1 << 24) - 1, file);
    fclose(file);
    return text;
}

static int parsed(mbedtls_x509_crt *list, const char *folder, const char *name)
{
    char *text = content(folder, name);
    int result = *text == 0 ? 0 : mbedtls_x509_crt_parse(list, (unsigned char *) text, strlen(text) + 1);
    free(text);
    return result;
}

static const char *judged(const char *folder)
{
    mbedtls_x509_crt chain, roots;
    char *host = content(folder, "host"), *seconds = content(folder, "time");
    uint32_t flags = 0;
    static char reason[64];
    const char *refusal = NULL;

    now = atoll(seconds);
    mbedtls_x509_crt_init(&chain);
    mbedtls_x509_crt_init(&roots);
    /* A positive number counts the certificates that could not be read: the others are kept. */
    parsed(&roots, folder, "roots.pem");
    if (parsed(&chain, folder, "chain.pem") != 0)
        refusal = "the chain cannot be parsed";
    else if (mbedtls_x509_crt_verify(&chain, &roots, NULL, *host ? host : NULL, &flags, NULL, NULL) != 0 || flags != 0)
        refusal = (snprintf(reason, sizeof reason, "flags %#x", flags), reason);
    else if (mbedtls_x509_crt_check_key_usage(&chain, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
        refusal = "key usage";
    else if (mbedtls_x509_crt_check_extended_key_usage(&chain, MBEDTLS_OID_SERVER_AUTH,
                                                       MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) != 0)
        refusal = "extended key usage";
    mbedtls_x509_crt_free(&chain);
    mbedtls_x509_crt_free(&roots);
    free(host);
    free(seconds);
    return refusal;
}

int main(int count, char **words)
{
    static char folder[4096];
    struct stat there;

    for (int number = 0; count == 2; number++) {
        snprintf(folder, sizeof folder, "%s/%d", words[1], number);
        if (stat(folder, &there) != 0)
            return 0;
        const char *refusal = judged(folder);
        printf("%d %s %s\n", number, refusal ? "no" : "yes", refusal ? refusal : "");
    }
    return 2;
}
