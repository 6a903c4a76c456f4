package dev.weir.contracts.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.DefaultHandler;
import org.junit.jupiter.api.Test;

class SlowHeadersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    @Test
    void shouldCloseTheOneThatTrickles_andLeaveTheOneThatIsIdle() throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        connector.addBean(new SlowHeaders(connector, Duration.ofMillis(400), Duration.ofMillis(50)));
        server.addConnector(connector);
        server.setHandler(new DefaultHandler());
        server.start();
        try (Socket slow = new Socket(InetAddress.getLoopbackAddress(), connector.getLocalPort());
                Socket idle = new Socket(InetAddress.getLoopbackAddress(), connector.getLocalPort())) {
            assertThat(answer(idle)).startsWith("HTTP/1.1 404");
            slow.setSoTimeout(20);

            await().atMost(PATIENCE).until(() -> isClosedAfterOneMoreByte(slow));

            assertThat(answer(idle)).startsWith("HTTP/1.1 404");
        } finally {
            server.stop();
        }
    }

    private static boolean isClosedAfterOneMoreByte(Socket socket) {
        try {
            socket.getOutputStream().write('x');
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static String answer(Socket socket) throws IOException {
        socket.setSoTimeout((int) PATIENCE.toMillis());
        socket.getOutputStream().write(REQUEST.getBytes(US_ASCII));
        byte[] some = new byte[16 * 1024];
        return new String(some, 0, socket.getInputStream().read(some), US_ASCII);
    }
}
