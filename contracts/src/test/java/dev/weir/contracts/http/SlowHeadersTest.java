package dev.weir.contracts.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.DefaultHandler;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.Test;

class SlowHeadersTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration TIMEOUT = Duration.ofMillis(400);
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    @Test
    void shouldCloseTheOneThatTrickles_andLeaveTheOneThatIsIdle() throws Exception {
        Server server = started(new DefaultHandler());
        try (Socket slow = connect(server);
                Socket idle = connect(server)) {
            assertThat(answer(idle)).startsWith("HTTP/1.1 404");
            slow.setSoTimeout(20);

            await().atMost(PATIENCE).until(() -> isClosedAfterOneMoreByte(slow));

            assertThat(answer(idle)).startsWith("HTTP/1.1 404");
        } finally {
            server.stop();
        }
    }

    @Test
    void shouldLeaveTheOneThatStreamsItsBody_thoughItsAnswerHasBegun() throws Exception {
        Server server = started(new Answering());
        try (Socket socket = connect(server)) {
            socket.getOutputStream()
                    .write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n".getBytes(US_ASCII));
            socket.setSoTimeout((int) PATIENCE.toMillis());
            assertThat(new String(socket.getInputStream().readNBytes(12), US_ASCII))
                    .isEqualTo("HTTP/1.1 200");
            socket.getInputStream().read(new byte[16 * 1024]);
            socket.setSoTimeout(20);

            long until = System.nanoTime() + TIMEOUT.multipliedBy(3).toNanos();
            while (System.nanoTime() - until < 0) {
                assertThat(isClosedAfterOneMoreByte(socket)).isFalse();
            }
        } finally {
            server.stop();
        }
    }

    private static Server started(Handler handler) throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        RequestsUnderWay requests = new RequestsUnderWay();
        requests.setHandler(handler);
        connector.addBean(new SlowHeaders(connector, requests, TIMEOUT, Duration.ofMillis(50)));
        server.addConnector(connector);
        server.setHandler(requests);
        server.start();
        return server;
    }

    private static Socket connect(Server server) throws IOException {
        return new Socket(server.getURI().getHost(), server.getURI().getPort());
    }

    /** Begins its answer before it reads what it is sent. */
    private static final class Answering extends Handler.Abstract {
        @Override
        public boolean handle(Request request, Response response, Callback callback) throws Exception {
            Content.Sink.write(response, false, BufferUtil.toBuffer("begun"));
            try (InputStream in = Content.Source.asInputStream(request)) {
                in.transferTo(OutputStream.nullOutputStream());
            }
            callback.succeeded();
            return true;
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
