/** The Kafka Streams topology: one thin processor around the decisions. */
@NullMarked
package dev.weir.throttler.topology;

import org.jspecify.annotations.NullMarked;
