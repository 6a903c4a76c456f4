/** The topic catalogue, the serdes and the settings that every Kafka client of Weir shares. */
@NullMarked
package dev.weir.contracts.kafka;

import org.jspecify.annotations.NullMarked;
