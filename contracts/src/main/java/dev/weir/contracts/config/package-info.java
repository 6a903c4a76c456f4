/** The configuration file as records that check themselves. */
@NullMarked
package dev.weir.contracts.config;

import org.jspecify.annotations.NullMarked;
