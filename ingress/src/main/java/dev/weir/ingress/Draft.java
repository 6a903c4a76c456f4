package dev.weir.ingress;

import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Priority;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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
    /** About what all but a body takes. */
    private static final int OTHER_BYTES = 512;

    /**
     * SHA-256 (hex) over what was asked for, defaults filled in, header names in lower case, each part behind its length: the
     * same for a repeated submission, another for any other.
     */
    String hash() {
        byte[] body = call.bodyBytes();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(OTHER_BYTES + (body == null ? 0 : body.length));
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            part(out, upstream);
            part(out, call.method());
            part(out, call.path());
            Map<String, String> headers = new TreeMap<>();
            call.headers().forEach((name, value) -> headers.put(name.toLowerCase(Locale.ROOT), value));
            out.writeInt(headers.size());
            for (Map.Entry<String, String> header : headers.entrySet()) {
                part(out, header.getKey());
                part(out, header.getValue());
            }
            out.writeBoolean(body != null);
            if (body != null) {
                out.writeInt(body.length);
                out.write(body);
            }
            part(out, priority.name());
            part(out, String.valueOf(notBefore));
            part(out, String.valueOf(deadline));
            out.writeBoolean(acceptLate);
            out.writeInt(cost);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return HexFormat.of().formatHex(JobIds.sha256().digest(bytes.toByteArray()));
    }

    private static void part(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }
}
