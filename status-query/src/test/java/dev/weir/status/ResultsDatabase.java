package dev.weir.status;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** A real PostgreSQL with the table that the results writer fills. */
final class ResultsDatabase implements AutoCloseable {
    private final EmbeddedPostgres postgres;
    private final Jdbi jdbi;

    ResultsDatabase() throws IOException {
        postgres = EmbeddedPostgres.builder()
                .setPGStartupWait(Duration.ofSeconds(30))
                .start();
        jdbi = Jdbi.create(postgres.getPostgresDatabase());
        jdbi.useHandle(handle -> handle.execute("""
                create table results (day date default '2026-11-22', job_id uuid, attempt int, permit bigint, tenant text, upstream text, kind text,
                    slot timestamptz, started_at timestamptz, ended_at timestamptz, http_status int, headers jsonb,
                    body bytea, body_is_text boolean, cut boolean, error text, recorded_at timestamptz default now(),
                    primary key (job_id, attempt))
                """));
    }

    DataSource dataSource() {
        return postgres.getPostgresDatabase();
    }

    /** As Weir's configuration names it. */
    String url() {
        return "postgresql://postgres@127.0.0.1:" + postgres.getPort() + "/postgres";
    }

    Jdbi jdbi() {
        return jdbi;
    }

    void answered(String id, int attempt, int status, String contentType, String body) {
        row(
                id,
                attempt,
                status,
                "{\"content-type\": \"" + contentType + "\"}",
                body.getBytes(StandardCharsets.UTF_8),
                true,
                false);
    }

    void failed(String id, int attempt) {
        row(id, attempt, null, null, null, false, false);
    }

    void row(
            String id,
            int attempt,
            @Nullable Integer status,
            @Nullable String headers,
            byte @Nullable [] body,
            boolean text,
            boolean cut) {
        Instant now = Instant.parse("2026-11-22T10:00:00Z");
        jdbi.useHandle(handle -> handle.createUpdate("""
                        insert into results (job_id, attempt, permit, tenant, upstream, kind, slot, started_at, ended_at,
                            http_status, headers, body, body_is_text, cut)
                        values (:id, :attempt, 1, 'local', 'gemini', 'answered', :now, :now, :now, :status,
                            cast(:headers as jsonb), :body, :text, :cut)
                        """)
                .bind("id", UUID.fromString(id))
                .bind("attempt", attempt)
                .bind("now", now)
                .bind("status", status)
                .bind("headers", headers)
                .bind("body", body)
                .bind("text", text)
                .bind("cut", cut)
                .execute());
    }

    @Override
    public void close() throws IOException {
        postgres.close();
    }
}
