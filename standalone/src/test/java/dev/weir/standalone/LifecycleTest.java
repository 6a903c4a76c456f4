package dev.weir.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LifecycleTest {
    private final List<String> closed = new ArrayList<>();
    private final Lifecycle parts = new Lifecycle();

    @Test
    void shouldCloseInReverseAndOnce_whenClosedTwice() {
        parts.add("first", () -> closed.add("first"));
        parts.add("second", () -> closed.add("second"));

        parts.close();
        parts.close();

        assertThat(closed).containsExactly("second", "first");
    }

    @Test
    void shouldCloseAPartAtOnceAndEndTheStart_whenItComesAfterTheClose() {
        parts.close();

        assertThatThrownBy(() -> parts.add("late", () -> closed.add("late")))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("stopped while it was starting");

        assertThat(closed).containsExactly("late");
    }

    @Test
    void shouldCloseTheOthers_whenOneFails() {
        parts.add("first", () -> closed.add("first"));
        parts.add("failing", () -> {
            throw new IllegalStateException("on purpose");
        });

        parts.close();

        assertThat(closed).containsExactly("first");
    }
}
