import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** Judges each case below a folder with the trust manager of JSSE, host names left out: "NUMBER yes|no REASON". */
public final class Engine {
    public static void main(String[] words) {
        for (int number = 0; Files.isDirectory(Path.of(words[0], "" + number)); number++) {
            try {
                judge(Path.of(words[0], "" + number));
                System.out.println(number + " yes ");
            } catch (Exception refused) {
                System.out.println(number + " no " + refused.toString().replace('\n', ' '));
            }
        }
    }

    private static void judge(Path folder) throws Exception {
        KeyStore roots = KeyStore.getInstance("JKS");
        roots.load(null, null);
        for (X509Certificate root : certificates(folder.resolve("roots.pem"))) {
            roots.setCertificateEntry("root" + roots.size(), root);
        }
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(roots, new X509CertSelector());
        parameters.setRevocationEnabled(false);
        parameters.setDate(new Date(1000 * Long.parseLong(Files.readString(folder.resolve("time")))));
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(parameters));
        X509TrustManager manager = (X509TrustManager) factory.getTrustManagers()[0];
        manager.checkServerTrusted(certificates(folder.resolve("chain.pem")).toArray(new X509Certificate[0]), "UNKNOWN");
    }

    private static List<X509Certificate> certificates(Path file) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<X509Certificate> found = new ArrayList<>();
        for (String block : Files.readString(file).split("(?<=-----END CERTIFICATE-----)")) {
            if (block.contains("-----BEGIN")) {
                InputStream one = new ByteArrayInputStream(block.strip().getBytes());
                found.add((X509Certificate) factory.generateCertificate(one));
            }
        }
        return found;
    }
}
