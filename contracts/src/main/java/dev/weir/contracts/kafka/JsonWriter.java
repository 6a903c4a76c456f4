package dev.weir.contracts.kafka;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import dev.weir.contracts.wire.JobEvent;
import java.io.IOException;
import org.apache.kafka.common.errors.SerializationException;

/**
 * Writes one record after the other, each as {@link Json#bytes} does: a generator costs as much as half a record, and this has one
 * for all. Not thread-safe.
 */
public final class JsonWriter {
    private static final JsonFactory FACTORY = Json.MAPPER.getFactory().copy().setRootValueSeparator(null);

    /** Of a record; a longer one takes more room for itself. */
    private static final int USUAL_BYTES = 8 * 1024;

    private final ByteArrayBuilder out = new ByteArrayBuilder(USUAL_BYTES);
    private JsonGenerator json = generator();

    /** What a record holds. */
    public interface Content {
        /** Writes one value. */
        void write(JsonGenerator json) throws IOException;
    }

    /** @throws SerializationException when it has no form in JSON; the next one is written all the same */
    public byte[] bytes(JobEvent event) {
        return bytes(to -> JobEventJson.write(event, to));
    }

    /** @throws SerializationException when it has no form in JSON; the next one is written all the same */
    public byte[] bytes(Content content) {
        boolean whole = false;
        try {
            content.write(json);
            json.flush();
            whole = true;
            return out.toByteArray();
        } catch (IOException e) {
            throw new SerializationException("cannot write a record as JSON: " + e.getMessage(), e);
        } finally {
            if (!whole) {
                json = generator();
            }
            out.reset();
        }
    }

    private JsonGenerator generator() {
        try {
            return FACTORY.createGenerator(out);
        } catch (IOException e) {
            throw new IllegalStateException("memory cannot be written to", e);
        }
    }
}
