@NullMarked
package dev.weir.contracts.kafka;

import org.jspecify.annotations.NullMarked;
