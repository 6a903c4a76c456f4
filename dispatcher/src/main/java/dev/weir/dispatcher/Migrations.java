package dev.weir.dispatcher;

import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/** Brings the database's schema to this version's, from {@code db/migration} on the class path. */
public final class Migrations {
    private static final String TABLE = "weir_schema_history";

    private Migrations() {}

    /**
     * Safe to run from several processes at once and again.
     *
     * @throws org.flywaydb.core.api.FlywayException when the database is away or refuses
     */
    public static void run(DataSource database) {
        Flyway.configure(Migrations.class.getClassLoader())
                .dataSource(database)
                .locations("classpath:db/migration")
                .table(TABLE)
                .baselineOnMigrate(true)
                .baselineVersion("0")
                // A lock held by the transaction, not by the session: a bouncer that pools transactions may stand
                // between.
                .configuration(java.util.Map.of("flyway.postgresql.transactional.lock", "true"))
                .load()
                .migrate();
    }
}
