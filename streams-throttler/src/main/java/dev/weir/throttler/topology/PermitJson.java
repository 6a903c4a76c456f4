package dev.weir.throttler.topology;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.upstream.Grant;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A {@link Permit} as it goes out, from the call's own bytes. That call is most of it, and is not taken apart and put together
 * again for this.
 */
final class PermitJson {
    private static final SerializableString V = new SerializedString("v");
    private static final SerializableString JOB_ID = new SerializedString("jobId");
    private static final SerializableString TENANT = new SerializedString("tenant");
    private static final SerializableString UPSTREAM = new SerializedString("upstream");
    private static final SerializableString PERMIT = new SerializedString("permit");
    private static final SerializableString SLOT = new SerializedString("slot");
    private static final SerializableString EXPIRES_AT = new SerializedString("expiresAt");
    private static final SerializableString ATTEMPT = new SerializedString("attempt");
    private static final SerializableString TIMEOUT_MS = new SerializedString("timeoutMs");
    private static final SerializableString REQUEST = new SerializedString("request");
    private static final SerializableString TRACEPARENT = new SerializedString("traceparent");

    private PermitJson() {}

    static void write(Grant grant, JobForm.Asked asked, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeFieldName(V);
        json.writeNumber(Permit.VERSION);
        json.writeFieldName(JOB_ID);
        json.writeString(grant.job().id());
        json.writeFieldName(TENANT);
        json.writeString(grant.job().spec().tenant());
        json.writeFieldName(UPSTREAM);
        json.writeString(grant.job().upstream());
        json.writeFieldName(PERMIT);
        json.writeNumber(grant.permit());
        json.writeFieldName(SLOT);
        Json.write(grant.slot(), json);
        json.writeFieldName(EXPIRES_AT);
        Json.write(grant.expiresAt(), json);
        json.writeFieldName(ATTEMPT);
        json.writeNumber(grant.job().tally().attempts());
        json.writeFieldName(TIMEOUT_MS);
        json.writeNumber(grant.timeout().toMillis());
        json.writeFieldName(REQUEST);
        json.writeRawValue(new Raw(asked.call()));
        if (asked.traceparent() != null) {
            json.writeFieldName(TRACEPARENT);
            json.writeString(asked.traceparent());
        }
        json.writeEndObject();
    }

    /** JSON that is there as bytes already: the generator takes them as they are. */
    private static final class Raw implements SerializableString {
        private final byte[] array;
        private final int from;
        private final int length;

        Raw(ByteBuffer json) {
            array = json.array();
            from = json.arrayOffset() + json.position();
            length = json.remaining();
        }

        @Override
        public int appendUnquotedUTF8(byte[] buffer, int offset) {
            if (length > buffer.length - offset) {
                return -1;
            }
            System.arraycopy(array, from, buffer, offset, length);
            return length;
        }

        @Override
        public byte[] asUnquotedUTF8() {
            return Arrays.copyOfRange(array, from, from + length);
        }

        @Override
        public String getValue() {
            return new String(array, from, length, StandardCharsets.UTF_8);
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
            return asUnquotedUTF8();
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
            out.write(array, from, length);
            return length;
        }

        @Override
        public int putQuotedUTF8(ByteBuffer buffer) {
            return putUnquotedUTF8(buffer);
        }

        @Override
        public int putUnquotedUTF8(ByteBuffer buffer) {
            if (length > buffer.remaining()) {
                return -1;
            }
            buffer.put(array, from, length);
            return length;
        }
    }
}
