package dev.weir.contracts.config;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Reads what becomes of results: the part of {@link ConfigReader} for {@code results} and {@code database}. Not thread-safe. */
final class ResultsReader {
    private final ConfigReader reader;

    ResultsReader(ConfigReader reader) {
        this.reader = reader;
    }

    /** Null, and noted, when anything is wrong. */
    @Nullable
    ResultsSettings results(JsonNode node) {
        ResultsSettings defaults = ResultsSettings.DEFAULT;
        if (ConfigReader.absent(node)) {
            return defaults;
        }
        if (!reader.section("results", node, requireNonNull(ConfigKeys.ROOT.child("results")))) {
            return null;
        }
        int maxAnswerBytes = number("results", "maxAnswerBytes", node, defaults.maxAnswerBytes());
        Duration retention =
                ConfigReader.orElse(reader.duration("results.retention", node.path("retention")), defaults.retention());
        return reader.checked("results", () -> new ResultsSettings(maxAnswerBytes, retention));
    }

    /** Null, and noted, when anything is wrong. */
    @Nullable
    DatabaseSettings database(JsonNode node) {
        DatabaseSettings defaults = DatabaseSettings.DEFAULT;
        if (ConfigReader.absent(node)) {
            return defaults;
        }
        if (!reader.section("database", node, requireNonNull(ConfigKeys.ROOT.child("database")))) {
            return null;
        }
        int connections = number("database", "connections", node, defaults.connections());
        int perDispatcher = number("database", "perDispatcher", node, defaults.perDispatcher());
        int perStatus = number("database", "perStatus", node, defaults.perStatus());
        return reader.checked("database", () -> new DatabaseSettings(connections, perDispatcher, perStatus));
    }

    private int number(String section, String key, JsonNode node, int otherwise) {
        return ConfigReader.orElse(reader.anyInt(section + "." + key, node.path(key)), otherwise);
    }
}
