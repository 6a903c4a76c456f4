package dev.weir.standalone;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory that holds everything standalone keeps, locked for one process. The lock is the operating system's, on an
 * open file: it goes with the process, however that ends.
 */
public final class DataDir implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DataDir.class);
    private static final String LOCK_FILE = "weir.lock";
    /** Written once Kafka and PostgreSQL have both come up, before any job can be accepted: from then on both are needed. */
    private static final String COMPLETE_FILE = "weir.complete";

    /** What a directory that was once complete must have: Kafka's data and its log of topics, PostgreSQL's data. */
    private static final List<String> NEEDED = List.of(
            "kafka/meta.properties",
            "kafka/__cluster_metadata-0",
            "postgres/data/PG_VERSION",
            "postgres/password",
            "postgres/ready");

    /** Something to do with a directory. */
    public interface Work {
        void run() throws IOException;
    }

    private final Path dir;
    private final FileChannel channel;

    /** @throws StartException when it cannot be used, or another process uses it */
    public DataDir(Path dir) {
        this.dir = dir.toAbsolutePath().normalize();
        if (Files.exists(this.dir) && !Files.isDirectory(this.dir)) {
            throw new StartException(
                    this.dir + " is a file, but --data-dir needs a directory; nothing was changed: name another one");
        }
        FileChannel opened = null;
        try {
            Files.createDirectories(this.dir);
            opened = FileChannel.open(this.dir.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (lock(opened) == null) {
                throw new StartException("another Weir already runs on " + this.dir
                        + "; stop that one first, or name another directory with --data-dir");
            }
            requireWhole();
            requireDirectory("kafka");
            requireDirectory("postgres");
            requireDirectory("state");
        } catch (IOException e) {
            release(opened);
            throw new StartException(
                    "the data directory " + this.dir + " cannot be used (" + e
                            + "); make it writable for this user, or name another one with --data-dir",
                    e);
        } catch (StartException e) {
            release(opened);
            throw e;
        }
        this.channel = opened;
    }

    /**
     * Does something with a directory that no process uses, and lets none use it meanwhile.
     *
     * @return false when a process uses it
     */
    public static boolean whileUnused(Path dir, Work work) throws IOException {
        try (FileChannel channel =
                FileChannel.open(dir.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (lock(channel) == null) {
                return false;
            }
            work.run();
            return true;
        }
    }

    /** Kafka and PostgreSQL are both there now. @throws StartException when that cannot be written down */
    void complete() {
        Path file = dir.resolve(COMPLETE_FILE);
        try {
            if (!Files.exists(file)) {
                Files.createFile(file);
            }
        } catch (IOException e) {
            throw new StartException("the data directory " + dir + " cannot be written: " + e, e);
        }
    }

    public Path kafka() {
        return dir.resolve("kafka");
    }

    public Path postgres() {
        return dir.resolve("postgres");
    }

    /** Of Kafka Streams. */
    public Path state() {
        return dir.resolve("state");
    }

    public Path path() {
        return dir;
    }

    @Override
    public void close() {
        release(channel);
    }

    /** Half of the data is worse than none: jobs without their results, or called twice. */
    private void requireWhole() {
        if (!Files.exists(dir.resolve(COMPLETE_FILE))) {
            return;
        }
        for (String needed : NEEDED) {
            if (!Files.exists(dir.resolve(needed))) {
                throw new StartException("the data directory " + dir + " has lost its " + needed
                        + "; nothing was changed: restore the directory from a copy, or name another --data-dir");
            }
        }
    }

    private void requireDirectory(String name) throws IOException {
        Path path = dir.resolve(name);
        if (Files.exists(path) && !Files.isDirectory(path)) {
            throw new StartException(path + " is a file, but Weir keeps a directory of that name in its data directory;"
                    + " nothing was changed: restore it from a copy, or name another --data-dir");
        }
        Files.createDirectories(path);
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Held by this very process.
            return null;
        }
    }

    private static void release(@Nullable FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                LOG.warn("the lock file of the data directory could not be closed: {}", e.getMessage());
            }
        }
    }
}
