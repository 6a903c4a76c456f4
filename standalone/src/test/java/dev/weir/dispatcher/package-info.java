/** The dispatcher on a real broker; it stands here because here is one. */
@NullMarked
package dev.weir.dispatcher;

import org.jspecify.annotations.NullMarked;
