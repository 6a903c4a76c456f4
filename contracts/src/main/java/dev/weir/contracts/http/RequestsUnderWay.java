package dev.weir.contracts.http;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/**
 * Knows the connections on which a request is under way, from the end of its headers to the end of its answer. A connection's
 * own counts do not tell: an answer counts as out once it begins. Thread-safe.
 */
final class RequestsUnderWay extends Handler.Wrapper {
    /** Of HTTP/1.1, which has one request at a time on each; the next may begin before the end of the last is told. */
    private final Map<Connection, Request> connections = new ConcurrentHashMap<>();

    boolean has(Connection connection) {
        return connections.containsKey(connection);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        Connection connection = request.getConnectionMetaData().getConnection();
        connections.put(connection, request);
        Request.addCompletionListener(request, failure -> connections.remove(connection, request));
        return super.handle(request, response, callback);
    }
}
