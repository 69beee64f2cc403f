// Asks a server by its URL, and prints the answer, or that the certificate is not trusted. Without a URL it prints the
// subjects in Mono's older machine store, which X509Store reads.
using System;
using System.Net;
using System.Security.Cryptography.X509Certificates;

class Ask
{
    static int Main(string[] arguments)
    {
        return arguments.Length == 0 ? Roots() : Connect(arguments[0]);
    }

    static int Connect(string url)
    {
        try
        {
            Console.WriteLine(new WebClient().DownloadString(url));
            return 0;
        }
        catch (WebException error)
        {
            var what = error.Status == WebExceptionStatus.TrustFailure ? "certificate" : "connection";
            Console.WriteLine(what + ": " + error.Message);
            return 1;
        }
    }

    static int Roots()
    {
        var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        store.Open(OpenFlags.ReadOnly);
        foreach (var certificate in store.Certificates)
            Console.WriteLine(certificate.Subject);
        return 0;
    }
}
