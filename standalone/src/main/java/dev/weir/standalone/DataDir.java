package dev.weir.standalone;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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
