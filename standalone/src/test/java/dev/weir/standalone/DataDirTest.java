package dev.weir.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirTest {
    @TempDir
    Path dir;

    @Test
    void shouldRefuseASecondUser_whileTheFirstHoldsIt() {
        try (DataDir first = new DataDir(dir)) {
            assertThatThrownBy(() -> new DataDir(dir).close())
                    .isInstanceOf(StartException.class)
                    .hasMessageContaining(first.path().toString())
                    .hasMessageContaining("already runs");
        }

        assertThatCode(() -> new DataDir(dir).close()).doesNotThrowAnyException();
    }

    @Test
    void shouldSayWhatIsWrong_whenItIsAFile() throws Exception {
        Path file = Files.writeString(dir.resolve("file"), "content");

        assertThatThrownBy(() -> new DataDir(file).close())
                .isInstanceOf(StartException.class)
                .hasMessageContaining("is a file");

        assertThat(file).hasContent("content");
    }

    @Test
    void shouldSayWhatIsWrongAndRelease_whenAFileStandsForADirectoryInside() throws Exception {
        Path file = Files.writeString(dir.resolve("kafka"), "content");

        assertThatThrownBy(() -> new DataDir(dir).close())
                .isInstanceOf(StartException.class)
                .hasMessageContaining(file.toString());
        Files.delete(file);

        assertThatCode(() -> new DataDir(dir).close()).doesNotThrowAnyException();
    }

    @Test
    void shouldRefuseAndChangeNothing_whenACompleteOneHasLostAHalf() throws Exception {
        try (DataDir whole = new DataDir(dir)) {
            Files.createDirectories(whole.kafka().resolve("__cluster_metadata-0"));
            Files.createFile(whole.kafka().resolve("meta.properties"));
            Files.createDirectories(whole.postgres().resolve("data"));
            Files.createFile(whole.postgres().resolve("data").resolve("PG_VERSION"));
            Files.createFile(whole.postgres().resolve("password"));
            Files.createFile(whole.postgres().resolve("ready"));
            whole.complete();
        }
        assertThatCode(() -> new DataDir(dir).close()).doesNotThrowAnyException();
        Directories.delete(dir.resolve("kafka"));

        assertThatThrownBy(() -> new DataDir(dir).close())
                .isInstanceOf(StartException.class)
                .hasMessageContaining("has lost its kafka/meta.properties");

        assertThat(dir.resolve("kafka")).doesNotExist();
        assertThat(dir.resolve("postgres").resolve("ready")).exists();
    }
}
