/** Whose turn it is: lanes by number and weighted fair queueing over them. Knows nothing of Kafka. */
@NullMarked
package dev.weir.throttler.lanes;

import org.jspecify.annotations.NullMarked;
