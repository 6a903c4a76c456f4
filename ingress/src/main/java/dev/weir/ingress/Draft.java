package dev.weir.ingress;

import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Priority;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A submission whose every field is sound: what becomes a job. */
record Draft(
        String upstream,
        Call call,
        Priority priority,
        @Nullable Instant notBefore,
        @Nullable Instant deadline,
        boolean acceptLate,
        int cost) {
    /**
     * SHA-256 (hex) over what was asked for, defaults filled in, header names in lower case, each part behind its length: the
     * same for a repeated submission, another for any other.
     */
    String hash() {
        MessageDigest sha256 = JobIds.sha256();
        part(sha256, upstream);
        part(sha256, call.method());
        part(sha256, call.path());
        Map<String, String> headers = new TreeMap<>();
        call.headers().forEach((name, value) -> headers.put(name.toLowerCase(Locale.ROOT), value));
        number(sha256, headers.size());
        headers.forEach((name, value) -> {
            part(sha256, name);
            part(sha256, value);
        });
        byte[] body = call.bodyBytes();
        flag(sha256, body != null);
        if (body != null) {
            part(sha256, body);
        }
        part(sha256, priority.name());
        part(sha256, String.valueOf(notBefore));
        part(sha256, String.valueOf(deadline));
        flag(sha256, acceptLate);
        number(sha256, cost);
        return HexFormat.of().formatHex(sha256.digest());
    }

    private static void part(MessageDigest sha256, String text) {
        part(sha256, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void part(MessageDigest sha256, byte[] bytes) {
        number(sha256, bytes.length);
        sha256.update(bytes);
    }

    private static void number(MessageDigest sha256, int number) {
        sha256.update(ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
    }

    private static void flag(MessageDigest sha256, boolean flag) {
        sha256.update((byte) (flag ? 1 : 0));
    }
}
