package dev.weir.contracts.config;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Collects what is wrong with a configuration, each problem one line. Not thread-safe. */
final class ConfigProblems {
    /** More than anyone reads at once. */
    private static final int MOST_LINES = 50;

    private final String file;
    private final Map<String, String> origins;
    private final Set<String> secrets = new LinkedHashSet<>();
    private final List<Found> found = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    /** One problem: where it is, for a person, and what is wrong; no secret is in either. */
    record Found(String where, String detail) {
        String line() {
            return (where + ": " + detail).replaceAll("[\\r\\n]+", " ");
        }
    }

    /**
     * @param file empty when it is none
     * @param origins the environment variable that set a key, by the key's path
     */
    ConfigProblems(String file, Map<String, String> origins) {
        this.file = file;
        this.origins = origins;
    }

    /** From now on no line shows this value. */
    void hide(String secret) {
        if (!secret.isEmpty()) {
            secrets.add(secret);
        }
    }

    /** A problem with a key. */
    void at(String path, String detail) {
        String variable = origins.get(path);
        add(
                variable == null
                        ? (file.isEmpty() ? path : file + ": " + path)
                        : "the environment variable " + variable + " (" + path + ")",
                detail);
    }

    /** Something to mend that stops nothing; the detail must show no value. */
    void warn(String path, String detail) {
        warnings.add((file.isEmpty() ? "" : file + ": ") + path + ": " + detail);
    }

    List<String> warnings() {
        return List.copyOf(warnings);
    }

    void add(String where, String detail) {
        String safe = detail;
        // What was expected stays readable; what was there follows "but".
        int but = detail.indexOf(", but ");
        for (String secret : secrets) {
            safe = but < 0
                    ? safe.replace(secret, "***")
                    : safe.substring(0, but) + safe.substring(but).replace(secret, "***");
        }
        found.add(new Found(where, safe));
    }

    int count() {
        return found.size();
    }

    List<Found> all() {
        return List.copyOf(found);
    }

    void throwIfAny() {
        if (!found.isEmpty()) {
            List<String> shown =
                    found.stream().limit(MOST_LINES).map(Found::line).toList();
            throw new ConfigException(String.join("\n", shown)
                    + (found.size() > MOST_LINES ? "\nand " + (found.size() - MOST_LINES) + " more problems" : ""));
        }
    }
}
