/** Who fills the database and who serves it are processes of their own, and must encrypt product keys alike. */
export const PRODUCT_KEY_SECRETS = `bench:${Buffer.alloc(32, 7).toString('base64')}`;
