package dev.weir.dispatcher;

import dev.weir.contracts.config.Secret;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.jspecify.annotations.Nullable;

/** One call under one permit, from the last look at the clock to its outcome. The client's threads drive it. */
final class UpstreamCall implements Response.Listener {
    private static final int MAX_ERROR_CHARS = 300;

    private final Permit permit;
    private final InstantSource clock;
    private final DispatcherMetrics metrics;
    private final Consumer<UpstreamCall> ended;
    private final Consumer<Outcome> done;
    private final AnswerBuffer buffer;
    private final @Nullable Secret secret;
    private final AtomicReference<@Nullable Instant> startedAt = new AtomicReference<>();
    private final AtomicReference<@Nullable String> late = new AtomicReference<>();

    UpstreamCall(
            Permit permit,
            AnswerBuffer buffer,
            @Nullable Secret secret,
            InstantSource clock,
            DispatcherMetrics metrics,
            Consumer<UpstreamCall> ended,
            Consumer<Outcome> done) {
        this.permit = permit;
        this.buffer = buffer;
        this.secret = secret;
        this.clock = clock;
        this.metrics = metrics;
        this.ended = ended;
        this.done = done;
    }

    /** The client is about to write the request. */
    void onRequestHeaders(Request request) {
        try {
            aboutToWrite();
        } catch (LateException e) {
            // Nothing is written once a request is aborted from here.
            var unused = request.abort(e);
        }
    }

    /**
     * The last look at the clock.
     *
     * @throws LateException when the permit may no longer be used; the request must not be written
     */
    void aboutToWrite() {
        Instant now = clock.instant();
        if (!now.isBefore(permit.expiresAt()) || now.isBefore(permit.slot())) {
            String reason = Outcomes.tooLate(permit, now);
            late.set(reason);
            throw new LateException(reason);
        }
        if (startedAt.compareAndSet(null, now)) {
            metrics.started(permit.upstream(), Duration.between(permit.slot(), now));
        }
    }

    @Override
    public void onContent(Response response, java.nio.ByteBuffer content) {
        if (!buffer.isCut() && !buffer.take(content)) {
            // The rest may be endless: the connection is closed rather than drained.
            var unused = response.abort(new CutException());
        }
    }

    @Override
    public void onComplete(Result result) {
        ended.accept(this);
        done.accept(outcome(result));
    }

    private Outcome outcome(Result result) {
        Instant now = clock.instant();
        String tooLate = late.get();
        if (tooLate != null) {
            return Outcomes.of(permit, Outcome.Kind.RETURNED, null, now, null, tooLate);
        }
        Instant started = startedAt.get();
        Throwable failure = result.getResponseFailure();
        boolean complete = failure == null && result.getResponse().getStatus() > 0;
        if (started != null && (complete || buffer.isCut())) {
            Answer answer = buffer.answer(result.getResponse(), Redaction.of(secret));
            return Outcomes.of(permit, Outcome.Kind.ANSWERED, started, now, answer, null);
        }
        Throwable first = result.getRequestFailure() != null ? result.getRequestFailure() : result.getFailure();
        if (started == null && first instanceof RejectedExecutionException) {
            return Outcomes.of(
                    permit,
                    Outcome.Kind.RETURNED,
                    null,
                    now,
                    null,
                    "no connection to " + permit.upstream() + " was free, or the dispatcher is going down");
        }
        return Outcomes.of(permit, Outcome.Kind.FAILED, started, now, null, describe(first, started != null));
    }

    private String describe(@Nullable Throwable failure, boolean written) {
        String where = result(written);
        if (failure == null) {
            return "the call ended without an answer" + where;
        }
        if (failure instanceof RejectedExecutionException) {
            return "the dispatcher went down before the answer was complete" + where;
        }
        if (failure instanceof SocketTimeoutException) {
            return "no connection within " + UpstreamClient.CONNECT_TIMEOUT + where;
        }
        if (failure instanceof TimeoutException) {
            return "no complete answer within " + Duration.ofMillis(permit.timeoutMs()) + where;
        }
        if (failure instanceof UnknownHostException) {
            return "the host name cannot be resolved: " + line(failure) + where;
        }
        if (failure instanceof ConnectException) {
            return "no connection: " + line(failure) + where;
        }
        if (failure instanceof SSLException) {
            return "no secure connection: " + line(failure) + where;
        }
        if (failure instanceof ClosedChannelException) {
            return "the connection was closed before the answer was complete" + where;
        }
        return line(failure) + where;
    }

    private static String result(boolean written) {
        return written ? "; the upstream may have seen the call" : "; the call was not sent";
    }

    private static String line(Throwable failure) {
        String message = failure.getMessage();
        String text = failure.getClass().getSimpleName() + (message == null ? "" : ": " + message);
        text = text.replaceAll("\\s+", " ");
        if (text.length() <= MAX_ERROR_CHARS) {
            return text;
        }
        // Not between the halves of a surrogate pair: half a character cannot be written as UTF-8.
        int end = Character.isHighSurrogate(text.charAt(MAX_ERROR_CHARS - 1)) ? MAX_ERROR_CHARS - 1 : MAX_ERROR_CHARS;
        return text.substring(0, end);
    }

    /** Ends the reading of an answer at the cap; what came before it is the answer. */
    private static final class CutException extends RuntimeException {
        CutException() {
            super("the answer is longer than the cap", null, false, false);
        }
    }
}
