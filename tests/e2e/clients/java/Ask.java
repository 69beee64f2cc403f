import java.io.InputStream;
import java.net.Proxy;
import java.net.URL;
import java.net.URLConnection;

/** "PORT [HOST]": asks https://HOST:PORT/ (localhost) with the trust store that javax.net.ssl.trustStore names, and prints the answer. */
public final class Ask {
    public static void main(String[] words) throws Exception {
        String host = words.length > 1 ? words[1] : "localhost";
        URLConnection connection = new URL("https://" + host + ":" + words[0] + "/").openConnection(Proxy.NO_PROXY);
        connection.setConnectTimeout(20_000);
        connection.setReadTimeout(20_000);
        try (InputStream answer = connection.getInputStream()) {
            System.out.println(new String(answer.readAllBytes()));
        } catch (java.io.IOException refused) {
            for (Throwable cause = refused; cause != null; cause = cause.getCause()) {
                System.err.println(cause);
            }
            System.exit(1);
        }
    }
}
