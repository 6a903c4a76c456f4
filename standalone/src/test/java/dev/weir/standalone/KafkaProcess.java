package dev.weir.standalone;

import java.nio.file.Path;

/** A process of its own with an embedded Kafka, to be killed by a test. */
final class KafkaProcess {
    private KafkaProcess() {}

    public static void main(String[] args) throws Exception {
        EmbeddedKafka kafka = new EmbeddedKafka(Path.of(args[0]), 0);
        EmbeddedKafkaIT.prepare(kafka);
        EmbeddedKafkaIT.send(kafka, "before");
        System.out.println("sent");
        System.out.flush();
        Thread.currentThread().join();
    }
}
