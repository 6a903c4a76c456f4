package dev.weir.standalone;

import java.nio.file.Path;
import java.time.InstantSource;

/** A process of its own with an embedded PostgreSQL, to be killed by a test. */
final class PostgresProcess {
    private PostgresProcess() {}

    public static void main(String[] args) throws Exception {
        EmbeddedPostgresServer server = new EmbeddedPostgresServer(Path.of(args[0]), 0, InstantSource.system());
        EmbeddedPostgresServerIT.store(server);
        System.out.println("stored");
        System.out.flush();
        Thread.currentThread().join();
    }
}
