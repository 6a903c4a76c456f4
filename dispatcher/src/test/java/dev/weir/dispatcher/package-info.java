@NullMarked
package dev.weir.dispatcher;

import org.jspecify.annotations.NullMarked;
