import { codeOf } from "../errors.js";

/** Whether PostgreSQL refused what a statement had to say (SQLSTATE 22, 23): it would refuse it again. */
export const isDataError = (error: unknown): boolean => /^2[23]/.test(codeOf(error) ?? "");
