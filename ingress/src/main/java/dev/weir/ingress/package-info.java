/** Takes jobs over HTTP and writes them to Kafka. */
@NullMarked
package dev.weir.ingress;

import org.jspecify.annotations.NullMarked;
