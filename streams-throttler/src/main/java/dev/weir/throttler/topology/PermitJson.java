package dev.weir.throttler.topology;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.upstream.Grant;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A {@link Permit} as it goes out, from the call's own bytes. That call is most of it, and is not taken apart and put together
 * again for this.
 */
final class PermitJson {
    /** Of all but the call. */
    private static final int HEAD_BYTES = 512;

    private PermitJson() {}

    static byte[] bytes(Grant grant, JobForm.Asked asked) {
        byte[] call = asked.call().get();
        try (ByteArrayBuilder out = new ByteArrayBuilder(HEAD_BYTES + call.length);
                JsonGenerator json = Json.MAPPER.getFactory().createGenerator(out)) {
            json.writeStartObject();
            json.writeNumberField("v", Permit.VERSION);
            json.writeStringField("jobId", grant.job().id());
            json.writeStringField("tenant", grant.job().spec().tenant());
            json.writeStringField("upstream", grant.job().upstream());
            json.writeNumberField("permit", grant.permit());
            json.writeFieldName("slot");
            Json.write(grant.slot(), json);
            json.writeFieldName("expiresAt");
            Json.write(grant.expiresAt(), json);
            json.writeNumberField("attempt", grant.job().tally().attempts());
            json.writeNumberField("timeoutMs", grant.timeout().toMillis());
            json.writeFieldName("request");
            json.writeRawValue(new Raw(call));
            if (asked.traceparent() != null) {
                json.writeStringField("traceparent", asked.traceparent());
            }
            json.writeEndObject();
            json.flush();
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("a permit was not written into memory", e);
        }
    }

    /** JSON that is there as bytes already: the generator takes them as they are. */
    private static final class Raw implements SerializableString {
        private final byte[] json;

        Raw(byte[] json) {
            this.json = json;
        }

        @Override
        public int appendUnquotedUTF8(byte[] buffer, int offset) {
            if (json.length > buffer.length - offset) {
                return -1;
            }
            System.arraycopy(json, 0, buffer, offset, json.length);
            return json.length;
        }

        @Override
        public byte[] asUnquotedUTF8() {
            return json;
        }

        @Override
        public String getValue() {
            return new String(json, StandardCharsets.UTF_8);
        }

        @Override
        public int charLength() {
            return getValue().length();
        }

        @Override
        public char[] asQuotedChars() {
            return getValue().toCharArray();
        }

        @Override
        public byte[] asQuotedUTF8() {
            return json;
        }

        @Override
        public int appendQuotedUTF8(byte[] buffer, int offset) {
            return appendUnquotedUTF8(buffer, offset);
        }

        @Override
        public int appendQuoted(char[] buffer, int offset) {
            return appendUnquoted(buffer, offset);
        }

        @Override
        public int appendUnquoted(char[] buffer, int offset) {
            String value = getValue();
            if (value.length() > buffer.length - offset) {
                return -1;
            }
            value.getChars(0, value.length(), buffer, offset);
            return value.length();
        }

        @Override
        public int writeQuotedUTF8(OutputStream out) throws IOException {
            return writeUnquotedUTF8(out);
        }

        @Override
        public int writeUnquotedUTF8(OutputStream out) throws IOException {
            out.write(json);
            return json.length;
        }

        @Override
        public int putQuotedUTF8(ByteBuffer buffer) {
            return putUnquotedUTF8(buffer);
        }

        @Override
        public int putUnquotedUTF8(ByteBuffer buffer) {
            if (json.length > buffer.remaining()) {
                return -1;
            }
            buffer.put(json);
            return json.length;
        }
    }
}
