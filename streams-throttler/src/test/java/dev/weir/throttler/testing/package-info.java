/**
 * The kit for developers of the topology: a harness over Kafka's TopologyTestDriver in virtual time. Packed as the artifact
 * {@code weir-streams-throttler:test-fixtures}.
 */
@NullMarked
package dev.weir.throttler.testing;

import org.jspecify.annotations.NullMarked;
