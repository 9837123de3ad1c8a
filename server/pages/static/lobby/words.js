// @ts-check
/** The words of this page. */
export const WORDS = {
  en: {
    title: "Redrain",
  },
  zh: {
    title: "红包雨",
  },
};
