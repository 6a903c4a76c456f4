package dev.weir.contracts.http;

import dev.weir.contracts.kafka.Json;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpHeaderValue;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** Answers with a {@link Problem} what never reaches a route: requests that Jetty itself refuses. Thread-safe. */
final class JettyErrors extends ErrorHandler {
    private static final long STOPPING_RETRY_AFTER_SECONDS = 2;

    /** By default some methods get no body at all; a problem is for every method. */
    @Override
    public boolean errorPageForMethod(String method) {
        return true;
    }

    @Override
    protected void generateResponse(
            Request request,
            Response response,
            int status,
            @Nullable String message,
            @Nullable Throwable cause,
            Callback callback) {
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.MEDIA_TYPE);
        // Jetty closes after a request that it could not read, and says so only when told to: a client that sends its
        // next
        // one on this connection would get no answer.
        response.getHeaders().put(HttpHeader.CONNECTION, HttpHeaderValue.CLOSE);
        if (status == HttpStatus.SERVICE_UNAVAILABLE_503) {
            response.getHeaders().put(HttpHeader.RETRY_AFTER, Long.toString(STOPPING_RETRY_AFTER_SECONDS));
        }
        Problem problem = Problem.of(status, title(status), detail(status, message));
        response.write(true, ByteBuffer.wrap(Json.bytes(problem)), callback);
    }

    static String title(int status) {
        String title = HttpStatus.getMessage(status);
        return status == HttpStatus.PAYLOAD_TOO_LARGE_413 ? "Content Too Large" : title;
    }

    private static String detail(int status, @Nullable String message) {
        if (status == HttpStatus.SERVICE_UNAVAILABLE_503) {
            return "this process is shutting down; nothing was taken, send it again";
        }
        if (status >= HttpStatus.INTERNAL_SERVER_ERROR_500 && status != HttpStatus.HTTP_VERSION_NOT_SUPPORTED_505) {
            return "Weir failed to answer; its log says why";
        }
        String said = message == null || message.isBlank() ? title(status) : message;
        return switch (status) {
            case HttpStatus.URI_TOO_LONG_414, HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431 ->
                "expected at most " + HttpServer.MAX_HEADER_BYTES
                        + " bytes in the request line and the headers together";
            default -> "the request cannot be read as HTTP: " + said;
        };
    }
}
