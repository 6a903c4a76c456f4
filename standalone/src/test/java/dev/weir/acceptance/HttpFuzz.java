package dev.weir.acceptance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.zip.GZIPOutputStream;

/** Makes HTTP requests that are right, nearly right, and not at all right; the same seed makes the same request. */
final class HttpFuzz {
    private static final int MAX_DEPTH = 4;

    private static final List<String> METHODS =
            List.of("GET", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW", "");
    private static final List<String> PATHS = List.of(
            "/v1/jobs",
            "/v1/jobs",
            "/v1/jobs",
            "/v1/jobs/batch",
            "/v1/jobs/batch",
            "/v1/jobs/01890a5d-ac96-774b-bcce-b302099a8057",
            "/v1/jobs/nonsense",
            "/v1/jobs/%00",
            "/v1/jobs/..%2f..",
            "/v1/upstreams",
            "/v1/upstreams/counted",
            "/v1/upstreams/nobody",
            "/v1/upstreams/counted/forecast",
            "/v1/upstreams/counted/pause",
            "/v1/upstreams/counted/resume",
            "/internal/known-jobs/01890a5d-ac96-774b-bcce-b302099a8057",
            "/internal/finished-jobs/01890a5d-ac96-774b-bcce-b302099a8057?waitMs=10",
            "/internal/finished-jobs/x?waitMs=-1",
            "/healthz",
            "/readyz",
            "/metrics",
            "/openapi.json",
            "/",
            "//",
            "/%",
            "/%zz",
            "*",
            "http://elsewhere/v1/jobs",
            "/v1/jobs?status=%FF&limit=99999999999999999999",
            "/v1/jobs;a=b/../x");
    private static final List<String> TYPES = List.of(
            "application/json",
            "application/json",
            "application/json; charset=utf-8",
            "application/x-ndjson",
            "application/x-ndjson",
            "application/merge-patch+json",
            "application/json; charset=utf-16",
            "text/plain",
            "multipart/form-data; boundary=x",
            ";;;",
            "");
    private static final List<String> FIELDS = List.of(
            "upstream", "request", "priority", "notBefore", "deadline", "onLate", "cost", "burst", "limits", "");
    private static final List<String> CALL_FIELDS = List.of("method", "path", "headers", "body", "bodyBase64", "é");
    private static final List<String> TEXTS = List.of(
            "counted",
            "nobody",
            "/x",
            "/../x",
            "//x",
            "/%2e%2e/",
            "high",
            "accept",
            "2026-11-22T10:00:00Z",
            "9999999999-01-01T00:00:00Z",
            "POST",
            "aGVsbG8=",
            "\\u0000",
            "\\ud800",
            "\\udc00\\ud800",
            "é漢🙂",
            "\\",
            "");
    private static final List<String> NUMBERS = List.of(
            "0",
            "1",
            "-1",
            "01",
            "1.5",
            "1e400",
            "-1E-400",
            "NaN",
            "9".repeat(30),
            "9".repeat(2000),
            "1e999999999",
            "0." + "1".repeat(3000));

    private final RandomGenerator random;

    private HttpFuzz(long seed) {
        this.random = new SplittableRandom(seed);
    }

    /** @param brokenOff not all of it is there: the connection ends before */
    record Request(byte[] bytes, boolean brokenOff) {}

    static Request request(long seed) {
        return new HttpFuzz(seed).request();
    }

    private Request request() {
        if (chance(25)) {
            return nearlySound();
        }
        String path = one(PATHS);
        boolean batch = path.endsWith("batch");
        byte[] body = batch ? lines() : document();
        if (chance(5)) {
            body = flipped(body);
        }
        StringBuilder head = new StringBuilder();
        head.append(chance(70) ? "POST" : one(METHODS)).append(' ').append(path);
        if (chance(3)) {
            head.append("x".repeat(random.nextInt(40_000)));
        }
        head.append(chance(97) ? " HTTP/1.1" : one(List.of(" HTTP/1.0", " HTTP/9.9", "", " JUNK")))
                .append("\r\n");
        if (chance(98)) {
            head.append("Host: x\r\n");
        }
        head.append("Content-Type: ")
                .append(batch && chance(70) ? "application/x-ndjson" : one(TYPES))
                .append("\r\n");
        for (int i = random.nextInt(4); i > 0; i--) {
            head.append(header()).append("\r\n");
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        if (chance(30)) {
            head.append("Transfer-Encoding: chunked\r\n\r\n");
            bytes.writeBytes(head.toString().getBytes(ISO_8859_1));
            chunks(bytes, body);
        } else {
            long length = chance(90) ? body.length : random.nextLong(-2, 2L * body.length + 3);
            head.append("Content-Length: ")
                    .append(chance(99) ? Long.toString(length) : "9".repeat(25))
                    .append("\r\n\r\n");
            bytes.writeBytes(head.toString().getBytes(ISO_8859_1));
            bytes.writeBytes(body);
        }
        byte[] all = bytes.toByteArray();
        boolean brokenOff = chance(10);
        return new Request(brokenOff ? java.util.Arrays.copyOf(all, random.nextInt(all.length + 1)) : all, brokenOff);
    }

    /** Right but for its body, and that mostly. */
    private Request nearlySound() {
        boolean batch = chance(30);
        byte[] body = batch ? lines() : chance(50) ? submission().getBytes(UTF_8) : sound();
        String head = "POST /v1/jobs" + (batch ? "/batch" : "") + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/"
                + (batch ? "x-ndjson" : "json") + "\r\n" + (chance(50) ? header() + "\r\n" : "") + "Content-Length: "
                + body.length + "\r\n\r\n";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(head.getBytes(ISO_8859_1));
        bytes.writeBytes(body);
        return new Request(bytes.toByteArray(), false);
    }

    private byte[] sound() {
        return ("{\"upstream\":\"counted\",\"request\":{\"path\":\"/x\",\"body\":[" + random.nextInt() + "]}}")
                .getBytes(UTF_8);
    }

    private String header() {
        return switch (random.nextInt(14)) {
            case 0 -> "Idempotency-Key: " + (chance(50) ? "k" + random.nextInt(20) : noise(300));
            case 1 ->
                "Prefer: " + one(List.of("wait=1", "wait=0, respond-async", "respond-async", "wait=x;;,\"", ",,,="));
            case 2 ->
                "traceparent: "
                        + one(List.of("00-" + "a".repeat(32) + "-" + "b".repeat(16) + "-01", "00-0", noise(60)));
            case 3 -> "Content-Encoding: " + one(List.of("gzip", "identity", "br", "gzip, gzip"));
            case 4 -> "Expect: 100-continue";
            case 5 -> "Accept: " + noise(40);
            case 6 -> "Authorization: " + one(List.of("Bearer x", "Basic eDp4", noise(60)));
            case 7 -> "X-API-Key: " + noise(60);
            case 8 -> "X-Big: " + "y".repeat(random.nextInt(20_000));
            case 9 -> "Connection: " + one(List.of("close", "keep-alive", "upgrade", noise(10)));
            case 10 -> "Content-Length: " + random.nextInt(100);
            case 11 -> "Transfer-Encoding: " + one(List.of("gzip", "chunked, chunked", "identity"));
            case 12 -> noise(30);
            default -> "X-Forwarded-For: " + one(List.of("1.2.3.4", "::1, x", noise(30)));
        };
    }

    private void chunks(ByteArrayOutputStream into, byte[] body) {
        int at = 0;
        while (at < body.length) {
            int size = Math.min(body.length - at, 1 + random.nextInt(2_000));
            into.writeBytes((chance(99) ? Integer.toHexString(size) : noise(5)).getBytes(ISO_8859_1));
            into.writeBytes("\r\n".getBytes(ISO_8859_1));
            into.write(body, at, size);
            into.writeBytes((chance(99) ? "\r\n" : "\n").getBytes(ISO_8859_1));
            at += size;
        }
        into.writeBytes("0\r\n\r\n".getBytes(ISO_8859_1));
    }

    private byte[] lines() {
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        for (int i = random.nextInt(40); i > 0; i--) {
            lines.writeBytes(chance(40) ? sound() : document());
            lines.writeBytes(one(List.of("\n", "\n", "\n", "\r\n", "\n\n", " ")).getBytes(UTF_8));
        }
        return lines.toByteArray();
    }

    private byte[] document() {
        int kind = random.nextInt(100);
        if (kind < 55) {
            return submission().getBytes(UTF_8);
        }
        if (kind < 75) {
            return value(0).getBytes(UTF_8);
        }
        if (kind < 80) {
            return "[".repeat(1 + random.nextInt(20_000)).getBytes(UTF_8);
        }
        if (kind < 84) {
            return ("{\"a\":".repeat(random.nextInt(3_000)) + "1" + "}".repeat(random.nextInt(3_000))).getBytes(UTF_8);
        }
        if (kind < 86) {
            return ("{\"x\":\"" + "z".repeat(random.nextInt(1_500_000)) + "\"}").getBytes(UTF_8);
        }
        if (kind < 90) {
            return bomb();
        }
        byte[] noise = new byte[random.nextInt(2_000)];
        for (int i = 0; i < noise.length; i++) {
            noise[i] = (byte) random.nextInt();
        }
        return noise;
    }

    private String submission() {
        StringBuilder json = new StringBuilder("{\"upstream\":").append(chance(85) ? "\"counted\"" : value(2));
        json.append(",\"request\":{\"path\":").append(chance(80) ? "\"/x\"" : value(2));
        for (int i = random.nextInt(4); i > 0; i--) {
            json.append(",\"").append(one(CALL_FIELDS)).append("\":").append(value(1));
        }
        json.append('}');
        for (int i = random.nextInt(3); i > 0; i--) {
            json.append(",\"").append(one(FIELDS)).append("\":").append(value(1));
        }
        return json.append(chance(98) ? "}" : "").toString();
    }

    private String value(int depth) {
        int kind = random.nextInt(depth >= MAX_DEPTH ? 5 : 8);
        return switch (kind) {
            case 0 -> "null";
            case 1 -> chance(50) ? "true" : "false";
            case 2 -> one(NUMBERS);
            case 3, 4 -> "\"" + one(TEXTS) + "\"";
            case 5 -> {
                StringBuilder list = new StringBuilder("[");
                for (int i = random.nextInt(4); i > 0; i--) {
                    list.append(value(depth + 1)).append(i > 1 || chance(3) ? "," : "");
                }
                yield list.append(']').toString();
            }
            default -> {
                StringBuilder object = new StringBuilder("{");
                for (int i = random.nextInt(4); i > 0; i--) {
                    object.append('"')
                            .append(chance(50) ? one(FIELDS) : one(TEXTS))
                            .append("\":");
                    object.append(value(depth + 1)).append(i > 1 || chance(3) ? "," : "");
                }
                yield object.append('}').toString();
            }
        };
    }

    /** A megabyte that takes a kilobyte. */
    private static byte[] bomb() {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
            out.write(new byte[1024 * 1024]);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return zipped.toByteArray();
    }

    private byte[] flipped(byte[] bytes) {
        byte[] copy = bytes.clone();
        for (int i = random.nextInt(4); i > 0 && copy.length > 0; i--) {
            copy[random.nextInt(copy.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return copy;
    }

    private String noise(int most) {
        StringBuilder noise = new StringBuilder();
        for (int i = random.nextInt(most); i > 0; i--) {
            noise.append((char) (chance(95) ? ' ' + random.nextInt(95) : random.nextInt(256)));
        }
        return noise.toString();
    }

    private <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }
}
