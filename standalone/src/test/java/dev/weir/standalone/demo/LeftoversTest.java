package dev.weir.standalone.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.standalone.DataDir;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeftoversTest {
    @TempDir
    Path temporary;

    @Test
    void shouldDeleteOnlyWhatADeadDemoLeft_whenAnotherStarts() throws Exception {
        Path own = Files.createDirectory(temporary.resolve("weir-demo-own"));
        Path dead = Files.createDirectory(temporary.resolve("weir-demo-dead"));
        Path unrelated = Files.createDirectory(temporary.resolve("something-else"));
        Path alive = temporary.resolve("weir-demo-alive");
        new DataDir(dead).close();

        try (DataDir held = new DataDir(alive)) {
            InstantSource later = () -> InstantSource.system().instant().plus(Leftovers.LEAST_AGE);
            Leftovers.clear(own, later);
            assertThat(held.path()).exists();
        }

        assertThat(dead).doesNotExist();
        assertThat(own).exists();
        assertThat(unrelated).exists();
        assertThat(alive.resolve("kafka")).exists();
    }

    @Test
    void shouldLeaveADirectoryAlone_whenItIsJustMade() throws Exception {
        Path own = Files.createDirectory(temporary.resolve("weir-demo-own"));
        Path starting = Files.createDirectory(temporary.resolve("weir-demo-starting"));

        Leftovers.clear(
                own, InstantSource.fixed(Files.getLastModifiedTime(starting).toInstant()));

        assertThat(starting).exists();
    }
}
