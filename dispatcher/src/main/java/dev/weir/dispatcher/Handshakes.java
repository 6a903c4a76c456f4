package dev.weir.dispatcher;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.eclipse.jetty.client.Connection;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.io.ssl.SslHandshakeListener;
import org.jspecify.annotations.Nullable;

/**
 * Judges a permit again at the end of a TLS handshake. Over a new connection the client counts a request as begun before the
 * handshake, which can take any time; only after it are the request's bytes written. Thread-safe.
 */
final class Handshakes implements SslHandshakeListener {
    private static final String NO_CIPHER_YET = "SSL_NULL_WITH_NULL_NULL";

    /** Bounded by the open connections: each entry goes with the end of its handshake, or of its call. */
    private final Map<SSLEngine, UpstreamCall> waiting = new ConcurrentHashMap<>();

    /** Whether the request's connection has its handshake still before it; then the call hears of its end. */
    boolean awaits(Request request, UpstreamCall call) {
        SSLEngine engine = engine(request);
        if (engine == null || !engine.getSession().getCipherSuite().equals(NO_CIPHER_YET)) {
            return false;
        }
        waiting.put(engine, call);
        return true;
    }

    /** The call has ended, with or without its handshake. */
    void forget(UpstreamCall call) {
        waiting.values().remove(call);
    }

    @Override
    public void handshakeSucceeded(Event event) throws SSLException {
        UpstreamCall call = waiting.remove(event.getSSLEngine());
        if (call == null) {
            return;
        }
        try {
            call.aboutToWrite();
        } catch (LateException e) {
            throw new SSLException(e.getMessage(), e);
        }
    }

    @Override
    public void handshakeFailed(Event event, Throwable failure) {
        waiting.remove(event.getSSLEngine());
    }

    private static @Nullable SSLEngine engine(Request request) {
        Connection connection = request.getConnection();
        if (connection instanceof org.eclipse.jetty.io.Connection io) {
            EndPoint endPoint = io.getEndPoint();
            if (endPoint instanceof SslConnection.SslEndPoint tls) {
                return tls.getSslConnection().getSSLEngine();
            }
        }
        return null;
    }
}
