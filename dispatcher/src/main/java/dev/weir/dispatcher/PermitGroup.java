package dev.weir.dispatcher;

import dev.weir.contracts.kafka.KafkaSettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;

/** The share group of all dispatchers; its settings are kept by the broker. */
final class PermitGroup {
    static final String NAME = "weir-permits";

    /** The shortest that a broker allows unless told otherwise: what a dispatcher that hangs has asked for waits so long. */
    private static final Duration LOCK = Duration.ofSeconds(15);

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private PermitGroup() {}

    /**
     * Settings that the group cannot do without: only what the throttle has committed is a permit, and those that were there
     * before the first dispatcher are permits, too.
     *
     * @throws IllegalStateException when Kafka does not take them, with what to do
     */
    static void ensure(KafkaSettings kafka) {
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, NAME);
        try (Admin admin = Admin.create(kafka.common())) {
            admin.incrementalAlterConfigs(Map.of(
                            group,
                            List.of(
                                    set("share.isolation.level", "read_committed"),
                                    set("share.auto.offset.reset", "earliest"),
                                    set("share.record.lock.duration.ms", Long.toString(LOCK.toMillis())))))
                    .all()
                    .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(
                    "Kafka does not take the settings of the share group " + NAME
                            + ". It must be 4.2 or newer with share groups (the feature share.version at 1), and this"
                            + " process needs the right to alter the group's settings: "
                            + e.getCause(),
                    e);
        } catch (TimeoutException e) {
            throw new IllegalStateException("Kafka did not answer within " + PATIENCE.toSeconds() + " s; is it up?", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while it set up the share group " + NAME, e);
        }
    }

    private static AlterConfigOp set(String key, String value) {
        return new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
    }
}
