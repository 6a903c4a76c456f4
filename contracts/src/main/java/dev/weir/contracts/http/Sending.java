package dev.weir.contracts.http;

import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.ee10.servlet.HttpOutput;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the bodies of answers so that no thread waits for who reads them: whoever does not read holds a connection, and only
 * that.
 */
public final class Sending {
    private static final Logger LOG = LoggerFactory.getLogger(Sending.class);

    private Sending() {}

    /**
     * Sends all of a body; the request must be asynchronous by then.
     *
     * @return completes once it is out, or nobody is there to read it; never fails
     */
    public static CompletableFuture<@Nullable Void> send(Context ctx, byte[] body) {
        CompletableFuture<@Nullable Void> sent = new CompletableFuture<>();
        try {
            ((HttpOutput) ctx.res().getOutputStream())
                    .sendContent(ByteBuffer.wrap(body), Callback.from(() -> sent.complete(null), failure -> {
                        LOG.debug("an answer could not be sent", failure);
                        sent.complete(null);
                    }));
        } catch (IOException e) {
            LOG.debug("an answer could not be sent", e);
            sent.complete(null);
        }
        return sent;
    }

    /** The same for what a route has left as its result, which Javalin would send by a thread that waits. */
    public static CompletableFuture<@Nullable Void> result(Context ctx) {
        InputStream result = ctx.resultInputStream();
        if (result == null) {
            return CompletableFuture.completedFuture(null);
        }
        try {
            return send(ctx, result.readAllBytes());
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Answers a request that is not asynchronous with a body of any size, for as long as its reader does not stall. */
    static void later(Context ctx, byte[] body) {
        ctx.future(() -> {
            ctx.req().getAsyncContext().setTimeout(0);
            return send(ctx, body);
        });
    }
}
