/** How many permits, and when: the permit log, its windows, its pace, and its future. Knows nothing of Kafka. */
@NullMarked
package dev.weir.throttler.quota;

import org.jspecify.annotations.NullMarked;
