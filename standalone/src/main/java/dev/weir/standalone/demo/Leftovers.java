package dev.weir.standalone.demo;

import dev.weir.standalone.DataDir;
import dev.weir.standalone.Directories;
import dev.weir.standalone.EmbeddedPostgresServer;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What killed demos leave: a temporary directory that nobody holds the lock of, and a PostgreSQL on it. Each demo clears up
 * after those before it.
 */
final class Leftovers {
    static final String PREFIX = "weir-demo-";
    /** The rest is for the next demo: this one is to start soon. */
    static final int MOST_AT_ONCE = 20;
    /** A demo that starts just now may not have its lock yet. */
    static final Duration LEAST_AGE = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);

    private Leftovers() {}

    /** @param own this demo's directory; others are looked for beside it, if they belong to the same user */
    static void clear(Path own, InstantSource clock) {
        int cleared = 0;
        try (DirectoryStream<Path> found =
                Files.newDirectoryStream(own.toAbsolutePath().getParent(), PREFIX + "*")) {
            for (Path dir : found) {
                if (cleared == MOST_AT_ONCE) {
                    return;
                }
                if (!dir.equals(own.toAbsolutePath()) && isOurs(dir, own, clock) && clear(dir)) {
                    cleared++;
                }
            }
        } catch (IOException e) {
            LOG.warn("the directories of earlier demos could not be looked for: {}", e.toString());
        }
    }

    private static boolean isOurs(Path dir, Path own, InstantSource clock) throws IOException {
        return Files.isDirectory(dir, LinkOption.NOFOLLOW_LINKS)
                && Files.getOwner(dir).equals(Files.getOwner(own))
                && Duration.between(Files.getLastModifiedTime(dir).toInstant(), clock.instant())
                                .compareTo(LEAST_AGE)
                        >= 0;
    }

    private static boolean clear(Path dir) {
        try {
            return DataDir.whileUnused(dir, () -> {
                EmbeddedPostgresServer.stopLeftOver(dir.resolve("postgres"));
                Directories.delete(dir);
                LOG.info("cleared {}, which a killed demo had left", dir);
            });
        } catch (IOException e) {
            LOG.warn("{} of an earlier demo could not be cleared; delete it by hand: {}", dir, e.toString());
            return false;
        }
    }
}
