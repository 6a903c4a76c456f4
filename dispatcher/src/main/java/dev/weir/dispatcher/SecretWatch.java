package dev.weir.dispatcher;

import dev.weir.contracts.config.AuthSettings;
import dev.weir.contracts.config.Secret;
import dev.weir.contracts.config.UnusableSecretException;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.WeirConfig;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the files that secrets come from again and again, on a thread of its own: a call must not wait for a file. A change is
 * in use within two rounds. Thread-safe.
 */
final class SecretWatch implements AutoCloseable {
    private static final Duration EVERY = Duration.ofSeconds(1);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(SecretWatch.class);

    private final Map<String, Secret> secrets = new HashMap<>();
    /** What was last said of an upstream's secret, so that it is said once. */
    private final Map<String, String> said = new HashMap<>();

    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread;

    SecretWatch(WeirConfig config) {
        for (UpstreamConfig upstream : config.upstreams().values()) {
            AuthSettings auth = upstream.auth();
            if (auth != null && auth.value().followsAFile()) {
                secrets.put(upstream.name(), auth.value());
            }
        }
        thread = new Thread(this::run, "secret-watch");
        thread.setDaemon(true);
    }

    void start() {
        if (!secrets.isEmpty()) {
            thread.start();
        }
    }

    private void run() {
        try {
            while (!closing.await(EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                for (String upstream : List.copyOf(secrets.keySet())) {
                    refresh(upstream, Objects.requireNonNull(secrets.get(upstream)));
                }
            }
        } catch (InterruptedException e) {
            // Only closing interrupts this thread.
            Thread.currentThread().interrupt();
        }
    }

    private void refresh(String upstream, Secret secret) {
        try {
            if (secret.refresh() == Secret.Refresh.CHANGED) {
                LOG.info(
                        "the secret of upstream {} has changed in its file; calls carry the new one from now on",
                        upstream);
            }
            if (said.remove(upstream) != null) {
                LOG.info("the secret of upstream {} can be read again", upstream);
            }
        } catch (UnusableSecretException e) {
            String reason = String.valueOf(e.getMessage());
            if (!reason.equals(said.put(upstream, reason))) {
                LOG.warn(
                        "the secret of upstream {} cannot be used as it is now, calls go on with the one before: {}",
                        upstream,
                        reason);
            }
        }
    }

    @Override
    public void close() {
        closing.countDown();
        thread.interrupt();
        try {
            thread.join(CLOSE_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
