package dev.weir.dispatcher;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * An answer's body as it stands in the outcome: as text when it is text, else as base64. Text with control characters counts
 * as no text: each would grow to six bytes in JSON, and PostgreSQL takes no NUL in a text.
 */
record AnswerBody(@Nullable String text, @Nullable String base64) {
    private static final AnswerBody NONE = new AnswerBody(null, null);
    private static final int LONGEST_UTF8_TAIL = 3;

    static AnswerBody of(byte[] bytes, int length, @Nullable String contentType, boolean cut) {
        if (length == 0) {
            return NONE;
        }
        if (isText(contentType)) {
            int end = cut ? withoutBrokenCharacter(bytes, length) : length;
            String text = decode(bytes, end);
            if (text != null && !hasControlCharacters(text)) {
                return new AnswerBody(text, null);
            }
        }
        ByteBuffer encoded = Base64.getEncoder().encode(ByteBuffer.wrap(bytes, 0, length));
        return new AnswerBody(null, StandardCharsets.ISO_8859_1.decode(encoded).toString());
    }

    private static boolean isText(@Nullable String contentType) {
        if (contentType == null) {
            return true;
        }
        String type = contentType.toLowerCase(Locale.ROOT);
        int charset = type.indexOf("charset=");
        if (charset >= 0) {
            String name = type.substring(charset + "charset=".length())
                    .replace("\"", "")
                    .strip();
            if (!name.startsWith("utf-8") && !name.startsWith("us-ascii")) {
                return false;
            }
        }
        int semicolon = type.indexOf(';');
        String media = (semicolon < 0 ? type : type.substring(0, semicolon)).strip();
        return media.startsWith("text/")
                || media.endsWith("json")
                || media.endsWith("xml")
                || media.endsWith("yaml")
                || media.endsWith("javascript")
                || media.equals("application/x-www-form-urlencoded")
                || media.equals("application/graphql");
    }

    /** The cap may have split the last character: the length without it. */
    private static int withoutBrokenCharacter(byte[] bytes, int length) {
        for (int back = 1; back <= LONGEST_UTF8_TAIL && back <= length; back++) {
            int b = bytes[length - back] & 0xFF;
            if (b < 0x80) {
                return length;
            }
            if (b >= 0xC0) {
                int needed = b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : 2;
                return back < needed ? length - back : length;
            }
        }
        return length;
    }

    private static @Nullable String decode(byte[] bytes, int length) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes, 0, length))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static boolean hasControlCharacters(String text) {
        return text.chars().anyMatch(c -> c < 0x20 && c != '\t' && c != '\n' && c != '\r');
    }
}
