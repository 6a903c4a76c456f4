package dev.weir.contracts.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Fills in {@code ${env:NAME}} and {@code ${file:/path}}. Immutable. */
final class Placeholders {
    private static final long MAX_FILE_BYTES = 64 * 1024;
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([a-z]*):?([^}]*)}");

    private final @Nullable Map<String, String> env;

    /** @param env null where no placeholder may be: it could read what the asker may not */
    Placeholders(@Nullable Map<String, String> env) {
        this.env = env;
    }

    /**
     * What a template was filled to, as a secret that follows the files in it.
     *
     * @param problem why a value cannot be used; null when it can
     */
    Secret secret(String template, Secret.Value filled, Function<String, @Nullable String> problem) {
        boolean namesAFile = PLACEHOLDER
                .matcher(template)
                .results()
                .anyMatch(found -> found.group(1).equals("file"));
        if (!namesAFile) {
            // With no placeholder the whole value is the secret.
            return new Secret(filled.pieces().isEmpty() ? Secret.Value.of(filled.text()) : filled, null);
        }
        return new Secret(filled, () -> {
            Secret.Value read = fill(template);
            String unusable = problem.apply(read.text());
            if (unusable != null) {
                throw new UnusableSecretException(unusable);
            }
            return read;
        });
    }

    /**
     * The text with everything filled in; its pieces are what came from placeholders.
     *
     * @throws UnusableSecretException with every placeholder that cannot be filled, a line each
     */
    Secret.Value fill(String text) {
        Matcher placeholders = PLACEHOLDER.matcher(text);
        StringBuilder filled = new StringBuilder();
        List<String> pieces = new ArrayList<>();
        List<String> wrong = new ArrayList<>();
        while (placeholders.find()) {
            String value = "";
            try {
                value = value(placeholders.group(), placeholders.group(1), placeholders.group(2));
                pieces.add(value);
            } catch (UnusableSecretException e) {
                wrong.add(String.valueOf(e.getMessage()));
            }
            placeholders.appendReplacement(filled, Matcher.quoteReplacement(value));
        }
        placeholders.appendTail(filled);
        if (!wrong.isEmpty()) {
            throw new UnusableSecretException(String.join("\n", wrong));
        }
        return new Secret.Value(filled.toString(), pieces);
    }

    private String value(String placeholder, String kind, String name) {
        if (env == null) {
            throw new UnusableSecretException(
                    "expected a value; placeholders such as " + placeholder + " belong into the file");
        }
        return switch (kind) {
            case "env" -> {
                String value = env.get(name);
                if (value == null) {
                    throw new UnusableSecretException("the environment variable " + name + " that it names is not set");
                }
                yield value;
            }
            case "file" -> file(name);
            default ->
                throw new UnusableSecretException("expected ${env:NAME} or ${file:/path}, but it is " + placeholder);
        };
    }

    private static String file(String name) {
        try {
            Path file = Path.of(name);
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new UnusableSecretException("the file " + name + " is larger than " + MAX_FILE_BYTES + " bytes");
            }
            return Files.readString(file).stripTrailing();
        } catch (IOException | InvalidPathException e) {
            throw new UnusableSecretException("the file " + name + " that it names cannot be read: "
                    + e.getClass().getSimpleName());
        }
    }
}
