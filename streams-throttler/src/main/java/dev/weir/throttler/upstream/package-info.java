/** What becomes of the jobs of one upstream: release, outcomes, retries, holds, doubts. Knows nothing of Kafka. */
@NullMarked
package dev.weir.throttler.upstream;

import org.jspecify.annotations.NullMarked;
