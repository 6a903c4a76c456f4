package dev.weir.contracts.http;

import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.internal.HttpConnection;

/**
 * Jetty's HTTP/1.1 connections, each read by one thread at a time.
 *
 * <p>Jetty 12.1 answers a request with malformed headers on another thread, and once that answer is out a third one goes on
 * reading, though the first may not have left yet: it gives the connection's buffer back while the third reads into it, and
 * whoever has the buffer by then sends the bytes of the one as part of its answer to another. To be removed with a Jetty
 * that reads a connection by one thread. Thread-safe.
 */
final class HttpConnections extends HttpConnectionFactory {
    HttpConnections(HttpConfiguration config) {
        super(config);
    }

    @Override
    public Connection newConnection(Connector connector, EndPoint endPoint) {
        HttpConnection connection = new ReadByOne(getHttpConfiguration(), connector, endPoint);
        connection.setTransferEncodingChunkMaxLength(getTransferEncodingChunkMaxLength());
        return configure(connection, connector, endPoint);
    }

    private static final class ReadByOne extends HttpConnection {
        /** Held for as long as a request's own thread handles it; its asynchronous work is elsewhere. */
        private final ReentrantLock reading = new ReentrantLock();

        ReadByOne(HttpConfiguration config, Connector connector, EndPoint endPoint) {
            super(config, connector, endPoint);
        }

        @Override
        public void onFillable() {
            reading.lock();
            try {
                super.onFillable();
            } finally {
                reading.unlock();
            }
        }
    }
}
