package dev.weir.throttler.upstream;

import java.time.Instant;

/** Something to look at when its time has come. A timer that its job has outlived does nothing. */
public record Timer(Instant due, Kind kind, String upstream, String jobId) {
    public enum Kind {
        /** A scheduled or retrying job joins its lane. */
        JOIN(0, true),
        /** A permit brought no outcome: its call is in doubt. */
        DOUBT(1, false),
        /** A waiting job's deadline has passed. */
        DEADLINE(2, true),
        /** A finished job's id is forgotten. */
        FORGET(3, false);

        private final byte code;
        private final boolean deleted;

        Kind(int code, boolean deleted) {
            this.code = (byte) code;
            this.deleted = deleted;
        }

        /** Whether it is taken out when its job does not need it any more; others stand until their time and do nothing then. */
        public boolean isDeleted() {
            return deleted;
        }

        /** Never changed: it is part of stored keys. */
        public byte code() {
            return code;
        }

        /** The kind with this code. */
        public static Kind of(byte code) {
            for (Kind kind : values()) {
                if (kind.code == code) {
                    return kind;
                }
            }
            throw new IllegalArgumentException("no kind of timer has the code " + code);
        }
    }
}
